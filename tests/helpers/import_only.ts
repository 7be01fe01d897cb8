/** Imports the whole server and does nothing: run without permissions, this must succeed and end. */

import "../../main.ts";
