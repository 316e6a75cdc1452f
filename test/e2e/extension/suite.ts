import './import.ts';
import './language.ts';
import './panel.ts';
