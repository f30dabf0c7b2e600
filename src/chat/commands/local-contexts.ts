import {
  ApplicationConfig,
  ExternalContextCreator,
  type ModulesContainer,
  NestContainer,
} from '@nestjs/core';

/**
 * Returns a creator of handlers without global guards, pipes, interceptors and filters.
 *
 * An app writes those for its own HTTP requests. Commands of the protocol and handlers of bots get
 * only the ones that their own classes and methods declare.
 */
export function localContexts(modules: ModulesContainer): ExternalContextCreator {
  return ExternalContextCreator.fromContainer(new LocalContainer(modules));
}

/** The modules of the app with a configuration without global enhancers. */
class LocalContainer extends NestContainer {
  constructor(private readonly ofApp: ModulesContainer) {
    super(new ApplicationConfig());
  }

  override getModules(): ModulesContainer {
    return this.ofApp;
  }
}
