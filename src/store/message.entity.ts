import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A message as it is now. */
@Entity('messages')
export class MessageEntity {
  @PrimaryColumn('text') id!: string;
  @Column('text', { name: 'room_id' }) roomId!: string;
  @Column('integer') seq!: number;
  @Column('text', { name: 'sender_id' }) senderId!: string;
  @Column('text') text!: string;
  /** JSON; null if there are none. */
  @Column('text', { nullable: true }) attachments!: string | null;
  @Column('bigint') at!: number;
  @Column('text', { nullable: true }) cid!: string | null;
  @Column('text', { name: 'content_hash', nullable: true }) contentHash!: string | null;
  /** Hash of the current row; null if an earlier version wrote it. */
  @Column('text', { nullable: true }) hash!: string | null;
  @Column('text', { name: 'reply_to', nullable: true }) replyTo!: string | null;
  @Column('text', { nullable: true }) cause!: string | null;
  @Column('text', { nullable: true }) kind!: 'notice' | null;
  @Column('integer', { nullable: true }) hops!: number | null;
  @Column('bigint', { name: 'edited_at', nullable: true }) editedAt!: number | null;
  @Column('bigint', { name: 'deleted_at', nullable: true }) deletedAt!: number | null;
  @Column('text', { name: 'deleted_by', nullable: true }) deletedBy!: string | null;
}
