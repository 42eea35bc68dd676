"""The files of messages: on the profile's volume, from whoever sends them, and from the page."""
