import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A room and the head of its log; also the own log of a user. */
@Entity('rooms')
export class RoomEntity {
  @PrimaryColumn('text') id!: string;
  @Column('text') kind!: 'public' | 'direct' | 'own';
  @Column('text') title!: string;
  @Column('text') epoch!: string;
  /** Position of the last event in the log. */
  @Column('integer') head!: number;
  /** Time of that event. */
  @Column('bigint', { name: 'head_at' }) headAt!: number;
  @Column('text', { name: 'owner_id', nullable: true }) ownerId!: string | null;
  @Column('integer', { name: 'member_count' }) memberCount!: number;
  @Column('bigint', { name: 'created_at' }) createdAt!: number;
}
