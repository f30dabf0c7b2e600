import { Entity, PrimaryColumn } from 'typeorm';

/** One of the two users of a direct room, a member or not. */
@Entity('direct_users')
export class DirectUserEntity {
  @PrimaryColumn('text', { name: 'room_id' }) roomId!: string;
  @PrimaryColumn('text', { name: 'user_id' }) userId!: string;
}
