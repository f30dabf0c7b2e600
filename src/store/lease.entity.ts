import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Work that one of the servers that share the database does, and the server that does it. */
@Entity('leases')
export class LeaseEntity {
  @PrimaryColumn('text') name!: string;
  /** Host, process id and a random value; for operators. */
  @Column('text') holder!: string;
  /** Grows each time that the lease is taken. */
  @Column('bigint') token!: number;
  /** By the clock of the database, in milliseconds since 1970. */
  @Column('bigint', { name: 'expires_at' }) expiresAt!: number;
}
