export const slipwayVersion = '0.1.0';
