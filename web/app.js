/** Begins here: one page, at the address that it was opened with. */
import { createApp } from './app/create.js';

createApp().boot();
