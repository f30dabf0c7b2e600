import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';

import { CONFIG, type Config } from '../config/config.js';
import { AddressBudget } from './address-budget.js';
import { isLoopback, networkOf } from './client-network.js';

const KEPT_BUDGETS = 50_000;

/** The budgets of addresses; a budget outlives the connections of its address (P-9.10). */
@Injectable()
export class AddressBudgets {
  // A bound by size, not by `max`, which would reserve memory for every entry at once.
  private readonly budgets = new LRUCache<string, AddressBudget>({
    maxSize: KEPT_BUDGETS,
    sizeCalculation: () => 1,
  });

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** Returns the budget of an address; null for addresses that have none, as loopback has. */
  find(address: string): AddressBudget | null {
    if (address === '' || isLoopback(address)) return null;
    const network = networkOf(address);
    const budget = this.budgets.get(network) ?? new AddressBudget(this.config.limits);
    this.budgets.set(network, budget);
    return budget;
  }
}
