"""`parley doctor`: is everything set so that a phone call can be answered?"""
