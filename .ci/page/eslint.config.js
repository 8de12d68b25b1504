import js from '@eslint/js';
import globals from 'globals';

export default [
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: { globals: globals.browser },
    rules: {
      curly: ['error', 'multi-line'],
      eqeqeq: 'error',
      'max-len': ['error', { code: 140 }],
      'no-implicit-coercion': 'error',
      'no-restricted-properties': ['error',
        { property: 'innerHTML', message: 'What a camera says is text.' },
        { property: 'outerHTML', message: 'What a camera says is text.' },
      ],
      'no-shadow': 'error',
      'no-unused-private-class-members': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      quotes: ['error', 'single', { avoidEscape: true }],
      semi: 'error',
    },
  },
  {
    files: ['**/*.test.js'],
    languageOptions: { globals: globals.node },
  },
];
