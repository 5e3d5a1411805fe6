"""A Twilio to rehearse with: no account, no telephone, the real one's manners."""

from app.sandbox.twilio.call import SandboxCall
from app.sandbox.twilio.carrier import SandboxTwilio
from app.sandbox.twilio.network import Destination
from app.sandbox.twilio.recordings import RecordingManners
from app.sandbox.twilio.stream import MediaStream
from app.sandbox.twilio.timeline import EndCause

__all__ = ["Destination", "EndCause", "MediaStream", "RecordingManners", "SandboxCall", "SandboxTwilio"]
