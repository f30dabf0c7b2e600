import {
  Catch,
  Module,
  NotFoundException,
  ParseIntPipe,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WsException,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
} from '@nestjs/websockets';
import { map, of, throwError, type Observable } from 'rxjs';

import type { Connection } from '#src/chat/connections/connection.js';
import { ProtocolError } from '#src/protocol/errors.js';

/** Allows only users with the name `owner`. */
class OwnersOnly implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const client = context.switchToWs().getClient<Connection>();
    return client.session?.user.name === 'owner';
  }
}

/** Wraps the result in an object. */
class Wrap implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((wrapped: unknown) => ({ wrapped })));
  }
}

class OutOfStock extends Error {}

/** Emits an event for an exception, as filters of Nest do. */
@Catch(OutOfStock)
class StockFilter implements ExceptionFilter {
  catch(_error: OutOfStock, host: ArgumentsHost): void {
    host.switchToWs().getClient<Connection>().emit('shop.empty', {});
  }
}

/** A gateway of a Nest app, which does not know the protocol. */
@WebSocketGateway()
export class ShopGateway implements OnGatewayConnection, OnGatewayDisconnect {
  /** Names of the users who connected (`+`) and disconnected (`-`). */
  readonly visits: string[] = [];

  handleConnection(client: Connection): void {
    this.visits.push(`+${client.session?.user.name ?? ''}`);
  }

  handleDisconnect(client: Connection): void {
    this.visits.push(`-${client.session?.user.name ?? ''}`);
  }

  @SubscribeMessage('shop.echo')
  echo(@MessageBody() data: unknown): unknown {
    return data;
  }

  @SubscribeMessage('shop.nothing')
  nothing(): void {}

  @SubscribeMessage('shop.later')
  later(): Observable<object> {
    return of({ price: 5 });
  }

  @SubscribeMessage('shop.who')
  who(@ConnectedSocket() client: Connection): object {
    client.emit('shop.greeting', { to: client.session?.user.name });
    return { id: client.session?.user.id };
  }

  @SubscribeMessage('shop.watch')
  watch(@ConnectedSocket() client: Connection): void {
    client.onDisconnect(() => {
      throw new Error('the till is locked');
    });
  }

  @SubscribeMessage('shop.count')
  count(@MessageBody('count', ParseIntPipe) count: number): object {
    return { count };
  }

  @SubscribeMessage('shop.wrapped')
  @UseInterceptors(Wrap)
  wrapped(): object {
    return { price: 5 };
  }

  @SubscribeMessage('shop.close')
  @UseGuards(OwnersOnly)
  close(): object {
    return { closed: true };
  }

  @SubscribeMessage('shop.refuse')
  refuse(): never {
    throw new WsException('We are closed.');
  }

  @SubscribeMessage('shop.find')
  find(): never {
    throw new NotFoundException('We do not have that.');
  }

  @SubscribeMessage('shop.limit')
  limit(): never {
    throw new ProtocolError('limit_reached', { details: { limit: 'apples', value: 3 } });
  }

  @SubscribeMessage('shop.fail')
  fail(): Promise<never> {
    return Promise.reject(new Error('the password of the till is 1234'));
  }

  @SubscribeMessage('shop.failLater')
  failLater(): Observable<never> {
    return throwError(() => new WsException('We are closed.'));
  }

  @SubscribeMessage('shop.big')
  big(): object {
    return { price: 5n };
  }

  @SubscribeMessage('shop.cycle')
  cycle(): object {
    const shelf: Record<string, unknown> = {};
    shelf['shelf'] = shelf;
    return { shelf };
  }

  @SubscribeMessage('shop.wordless')
  wordless(): unknown {
    return { toJSON: () => undefined };
  }

  @SubscribeMessage('shop.buy')
  @UseFilters(StockFilter)
  buy(): never {
    throw new OutOfStock('nothing left');
  }
}

/** A gateway whose hooks fail for users with certain names. */
@WebSocketGateway()
class FailingGateway implements OnGatewayConnection, OnGatewayDisconnect {
  handleConnection(client: Connection): void | Promise<never> {
    return failFor(client);
  }

  handleDisconnect(client: Connection): void | Promise<never> {
    return failFor(client);
  }
}

function failFor({ session }: Connection): void | Promise<never> {
  if (session?.user.name === 'step') throw new Error('fell over a step');
  if (session?.user.name === 'cable') return Promise.reject(new Error('fell over a cable'));
}

/** The module of {@link ShopGateway}. */
@Module({ providers: [ShopGateway, FailingGateway] })
export class ShopModule {}
