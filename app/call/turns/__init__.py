"""Who speaks when: pure decisions, told the time and asking no clock."""
