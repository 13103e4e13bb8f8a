"""What the enrolment policy does on photographs: near-duplicates and strangers."""
