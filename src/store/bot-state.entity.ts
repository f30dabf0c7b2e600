import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A value that a bot stores for a room or a user. */
@Entity('bot_state')
export class BotStateEntity {
  @PrimaryColumn('text', { name: 'bot_id' }) botId!: string;
  /** `room:`, `user:` or `alarms:` (of a room), with the id. */
  @PrimaryColumn('text') owner!: string;
  @PrimaryColumn('text') key!: string;
  /** JSON. */
  @Column('text') value!: string;
}
