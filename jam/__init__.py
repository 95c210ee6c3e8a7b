"""The live side: session clock, events, grid, MIDI."""
