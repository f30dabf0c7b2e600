import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A reaction of a user to a message; `seq` is the position of its event. */
@Entity('reactions')
export class ReactionEntity {
  @PrimaryColumn('text', { name: 'message_id' }) messageId!: string;
  @PrimaryColumn('text') emoji!: string;
  @PrimaryColumn('text', { name: 'user_id' }) userId!: string;
  @Column('integer') seq!: number;
}
