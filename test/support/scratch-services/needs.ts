import { natsProgram, postgresPrograms, redisProgram } from './programs.js';

const FOUND = {
  'nats-server': natsProgram,
  'redis-server': redisProgram,
  postgres: postgresPrograms,
};

/** A program of a scratch service. */
export type ServiceProgram = keyof typeof FOUND;

/** Returns `describe`, or `describe.skip` if this machine lacks one of the programs. */
export function describeWith(...programs: ServiceProgram[]): jest.Describe {
  return programs.every((program) => FOUND[program] !== undefined) ? describe : describe.skip;
}
