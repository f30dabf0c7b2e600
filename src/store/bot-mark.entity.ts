import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Position up to which a bot has processed the log of a room. */
@Entity('bot_marks')
export class BotMarkEntity {
  @PrimaryColumn('text', { name: 'bot_id' }) botId!: string;
  @PrimaryColumn('text', { name: 'room_id' }) roomId!: string;
  @Column('text') epoch!: string;
  @Column('integer') seq!: number;
}
