import { defineConfig } from '@playwright/test';

import { chromium } from './support/chromium';

// One worker: the machine that CI has is small, and a figure measured beside another test says little.
export default defineConfig({
  outputDir: 'results/failed',
  reporter: [['list']],
  workers: 1,
  retries: 0,
  timeout: 60_000,
  forbidOnly: true,
  use: {
    launchOptions: chromium,
    actionTimeout: 10_000,
    navigationTimeout: 20_000,
    viewport: { width: 1280, height: 900 },
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
  },
  projects: [
    { name: 'plain', testDir: 'plain', use: { javaScriptEnabled: false } },
    { name: 'whole', testDir: 'support', testMatch: 'whole.setup.ts' },
    { name: 'journeys', testDir: 'journeys', dependencies: ['whole'] },
    { name: 'pages', testDir: 'pages', dependencies: ['whole'] },
    { name: 'api', testDir: 'api' },
  ],
});
