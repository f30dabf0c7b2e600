import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A room and the head of its log; also the own log of a user. */
@Entity('rooms')
export class RoomEntity {
  @PrimaryColumn('text') id!: string;
  @Column('text') title!: string;
  @Column('text') epoch!: string;
  /** Position of the last event of the log. */
  @Column('integer') head!: number;
  @Column('text', { name: 'owner_id', nullable: true }) ownerId!: string | null;
  @Column('integer', { name: 'member_count' }) memberCount!: number;
  @Column('bigint', { name: 'created_at' }) createdAt!: number;
}
