"""The linked account: whose number it is to be, how it appears, what it has, and logging it out."""
