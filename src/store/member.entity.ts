import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Membership of a user in a room. */
@Entity('members')
export class MemberEntity {
  @PrimaryColumn('text', { name: 'room_id' }) roomId!: string;
  @PrimaryColumn('text', { name: 'user_id' }) userId!: string;
  @Column('bigint', { name: 'joined_at' }) joinedAt!: number;
  /** Scopes of a bot, separated by spaces. */
  @Column('text', { nullable: true }) scopes!: string | null;
  /** Whether the bot was added by PARLANCE_ROOM_BOTS, which may also remove it. */
  @Column('boolean', { name: 'by_setting', default: false }) bySetting!: boolean;
}
