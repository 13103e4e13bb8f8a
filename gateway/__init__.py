"""The gateway: fans out to the signals, associates what they see with people, and fuses."""
