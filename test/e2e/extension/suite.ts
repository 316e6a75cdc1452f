import './language.ts';
import './panel.ts';
