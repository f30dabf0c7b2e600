import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A guest of a dialect, until they have left their rooms. */
@Entity('dialect_guests')
export class DialectGuestEntity {
  @PrimaryColumn('text', { name: 'user_id' }) userId!: string;
  @Column('text') dialect!: string;
  /** The name without case, if guests of the dialect return by their names. */
  @Column('text', { name: 'name_key', nullable: true }) nameKey!: string | null;
  @Column('text') address!: string;
  /** Until then, the guest is connected to a server that shares the database; 0 if to none. */
  @Column('bigint', { name: 'present_until' }) presentUntil!: number;
}
