"""For those who test a source, and for the demo: loopback services with the quirks of the real ones."""

from archiver.testing.faults import Fault, FaultKind
from archiver.testing.flickr import FlickrDouble
from archiver.testing.messages import Logged, Reply, Request, RequestLog
from archiver.testing.service import Routes, Service
from archiver.testing.slideshare import SlideShareDouble
from archiver.testing.speakerdeck import SpeakerDeckDouble

__all__ = [
    "Fault",
    "FaultKind",
    "FlickrDouble",
    "Logged",
    "Reply",
    "Request",
    "RequestLog",
    "Routes",
    "Service",
    "SlideShareDouble",
    "SpeakerDeckDouble",
]
