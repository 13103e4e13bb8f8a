"""What every Marquee process stands on; it knows no signal by name."""
