// A typical Nest chat server. Node.js cannot run decorators, so they are applied by hand after each
// class, with the same effect.
import 'reflect-metadata';
import { join } from 'node:path';

import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
} from '@nestjs/websockets';
import { DataSource, EntitySchema } from 'typeorm';

import { Sqlite } from '../../dist/database/sqlite.js';

const Message = new EntitySchema({
  name: 'message',
  columns: {
    id: { type: Number, primary: true, generated: true },
    room: { type: String },
    sender: { type: String },
    text: { type: String },
    at: { type: Number },
  },
  indices: [{ columns: ['room', 'id'] }],
});

class MessagesService {
  /** @param {DataSource} database */
  constructor(database) {
    this.messages = database.getRepository(Message);
  }

  /**
   * @param {string} room
   * @param {string} sender
   * @param {string} text
   */
  async add(room, sender, text) {
    const message = { room, sender, text, at: Date.now() };
    await this.messages.insert(message);
    return message;
  }
}
Reflect.defineMetadata('design:paramtypes', [DataSource], MessagesService);
Injectable()(MessagesService);

class ChatGateway {
  /** @type {import('socket.io').Server | undefined} set by Nest */
  server;

  /** @param {MessagesService} messages */
  constructor(messages) {
    this.messages = messages;
  }

  /**
   * @param {import('socket.io').Socket} client
   * @param {{ room: string }} data
   */
  async join(client, data) {
    await client.join(data.room);
    return { ok: true };
  }

  /**
   * @param {import('socket.io').Socket} client
   * @param {{ room: string, text: string }} data
   */
  async send(client, data) {
    const { name } = client.handshake.auth;
    const message = await this.messages.add(data.room, name, data.text);
    this.server?.to(data.room).emit('message.created', message);
    return { ok: true };
  }
}
decorateGateway();

class AppModule {}
Module({
  providers: [{ provide: DataSource, useFactory: openDatabase }, MessagesService, ChatGateway],
})(AppModule);

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
app.useWebSocketAdapter(new IoAdapter(app));
app.getHttpAdapter().get('/readyz', (_request, response) => response.end());
await app.listen(Number(process.env.PORT), String(process.env.HOST));

function openDatabase() {
  return new DataSource({
    type: 'better-sqlite3',
    driver: Sqlite,
    database: join(String(process.env.DATA_DIR), 'messages.db'),
    entities: [Message],
    synchronize: true,
    enableWAL: true,
  }).initialize();
}

function decorateGateway() {
  const prototype = ChatGateway.prototype;
  WebSocketServer()(prototype, 'server');
  for (const [event, method] of [
    ['room.join', 'join'],
    ['message.send', 'send'],
  ]) {
    ConnectedSocket()(prototype, method, 0);
    MessageBody()(prototype, method, 1);
    const descriptor = Object.getOwnPropertyDescriptor(prototype, method) ?? {};
    SubscribeMessage(event)(prototype, method, descriptor);
  }
  Reflect.defineMetadata('design:paramtypes', [MessagesService], ChatGateway);
  WebSocketGateway()(ChatGateway);
}
