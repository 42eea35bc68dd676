"""Programs that no package carries, built once into the cache folder.

Each is built by the first who asks, from a Go module whose dependencies are locked, into a folder named after
everything that decides its content; whoever asks later finds it in the time of one file look-up. Which programs there
are is the business of who needs them.
"""
