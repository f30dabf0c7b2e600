import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A user who has done something durable. */
@Entity('users')
export class UserEntity {
  @PrimaryColumn('text') id!: string;
  @Column('text') name!: string;
  @Column('text') kind!: 'guest' | 'member' | 'bot';
  @Column('bigint', { name: 'created_at' }) createdAt!: number;
  @Column('bigint', { name: 'last_seen_at' }) lastSeenAt!: number;
}
