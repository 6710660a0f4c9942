"""What only version 1's programs need; typed programs never load it."""
