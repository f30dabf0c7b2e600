import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A user who blocks another. */
@Entity('blocks')
export class BlockEntity {
  @PrimaryColumn('text', { name: 'blocker_id' }) blockerId!: string;
  @PrimaryColumn('text', { name: 'blocked_id' }) blockedId!: string;
  @Column('bigint') at!: number;
}
