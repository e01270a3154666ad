import React from 'react'

// Strokes on a grid of 16, drawn in the colour of the text.
const strokes = {
  check: 'M3 8.5l3.2 3.2L13 5',
  cross: 'M4 4l8 8M12 4l-8 8',
  dot: 'M8 8h.01',
  clock: 'M8 4.5V8l2.5 1.6M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12z',
  hand: 'M5 3v10M11 3v10',
  lock: 'M4 7h8v6.5H4zM5.5 7V5a2.5 2.5 0 0 1 5 0v2',
  warning: 'M8 2.2l6 11H2zM8 6.6v3M8 11.4h.01',
  up: 'M8 13V3M4 7l4-4 4 4',
  back: 'M6 3L3 6l3 3M3 6h6.5a3.5 3.5 0 0 1 0 7H6',
  right: 'M6 3l5 5-5 5',
  down: 'M3 6l5 5 5-5',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.5 10.5L14 14',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  target: 'M8 12.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM8 1.5v3M8 11.5v3M1.5 8h3M11.5 8h3',
  refresh: 'M13 3v3.5H9.5M13 6.3A5.5 5.5 0 1 0 13.4 9',
  link: 'M6.5 9.5l3-3M7 4.5l1-1a3 3 0 0 1 4.3 4.3l-1.1 1M9 11.5l-1 1a3 3 0 0 1-4.3-4.3l1.1-1',
  image: 'M2.5 5L8 2l5.5 3v6L8 14l-5.5-3zM2.5 5L8 8l5.5-3M8 8v6',
  commit: 'M8 10.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM1.5 8h4M10.5 8h4',
  chart: 'M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM8 6.2v3.6M4.9 8h6.2',
  ship: 'M2 9.5l6-2.3 6 2.3-1.6 3.2H3.6zM4.5 8V5h7v3M7 5V2.5h2V5',
  warehouse: 'M2 13V6l6-3.5L14 6v7M5 13V8h6v5M5 10.5h6',
  queue: 'M3 4h10M3 8h10M3 12h6',
  graph: 'M2 8h3M11 4H9.5a2 2 0 0 0-2 2v4a2 2 0 0 0 2 2H11M5 6h2.5v4H5zM11 2.5h3v3h-3zM11 10.5h3v3h-3z',
  info: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.5v3.5M8 5h.01',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  external: 'M6 3H3v10h10v-3M9 3h4v4M13 3L7.5 8.5',
}

export type IconName = keyof typeof strokes | 'heart' | 'heart-broken' | 'ring' | 'unknown'

export function Icon({name, tone, label}: {name: IconName; tone?: string; label?: string}) {
  const named = label ? {role: 'img', 'aria-label': label} : {'aria-hidden': true as const}
  return (
    <svg className={`waybill-icon${tone ? ' waybill-tone-' + tone : ''}${name === 'ring' ? ' waybill-spin' : ''}`} viewBox='0 0 16 16' {...named}>
      {label && <title>{label}</title>}
      {shape(name)}
    </svg>
  )
}

function shape(name: IconName) {
  switch (name) {
    case 'heart':
    case 'heart-broken':
      return (
        <path
          fill='currentColor'
          d={'M8 14S1.5 9.8 1.5 5.7A3.4 3.4 0 0 1 8 4.3a3.4 3.4 0 0 1 6.5 1.4C14.5 9.8 8 14 8 14z' + (name === 'heart' ? '' : 'M8.5 3.5L6.5 7l3 1.8L7.6 13')}
          stroke={name === 'heart' ? 'none' : 'var(--waybill-panel)'}
        />
      )
    case 'ring':
      return <path d='M8 2.2a5.8 5.8 0 1 1-5.2 3.2' fill='none' stroke='currentColor' strokeWidth='2' strokeLinecap='round' />
    case 'unknown':
      return <path d='M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM6.3 6.4a1.8 1.8 0 1 1 2.5 1.7c-.5.2-.8.6-.8 1.1M8 11.3h.01' fill='none' stroke='currentColor' strokeWidth='1.5' strokeLinecap='round' />
    default:
      return <path d={strokes[name]} fill='none' stroke='currentColor' strokeWidth='1.6' strokeLinecap='round' strokeLinejoin='round' />
  }
}

// Disc is a mark in a filled circle, as Argo CD marks Synced.
export function Disc({name, tone, label}: {name: IconName; tone: string; label?: string}) {
  return (
    <span className={`waybill-disc waybill-disc-${tone}`} title={label}>
      <Icon name={name} label={label} />
    </span>
  )
}
