// The variant "splash": nothing happens, so the document stays on its first screen and no module is ever defined.
export {};
