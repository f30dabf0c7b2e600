import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A remote bot. */
@Entity('bot_accounts')
export class BotAccountEntity {
  @PrimaryColumn('text') id!: string;
  @Column('text') name!: string;
  @Column('text') about!: string;
  /** The scopes that the bot asks for, separated by spaces. */
  @Column('text') scopes!: string;
  @Column('bigint', { name: 'created_at' }) createdAt!: number;
}

/** A token of a bot, as a hash. */
@Entity('bot_tokens')
export class BotTokenEntity {
  @PrimaryColumn('text') hash!: string;
  @Column('text', { name: 'bot_id' }) botId!: string;
  @Column('bigint', { name: 'created_at' }) createdAt!: number;
}
