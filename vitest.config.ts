import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,fuzz,oracle,bench}/**/*.test.ts'],
    testTimeout: 30_000,
    allowOnly: false,
    restoreMocks: true,
  },
});
