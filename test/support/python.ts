import { spawnSync } from 'node:child_process';

/** Message for developers without {@link python}. */
export const NO_PYTHON = 'Install Python 3 with its package websockets (python3-websockets).';

/** Command of a Python that has the package websockets; undefined if there is none. */
export const python = ['python3', '/usr/bin/python3'].find(
  (command) => spawnSync(command, ['-c', 'import websockets']).status === 0,
);
