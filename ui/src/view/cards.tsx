import React from 'react'
import type {Warehouse} from '../api/wire'
import {text} from '../strings'
import {nodeID} from '../model/graph'
import {fullName} from '../model/names'
import type {Card} from '../model/stage'
import {Disc, Icon} from './icon'
import {Age, Chip, Countdown, HealthMark, Name} from './parts'

// StageCard is a stage in the graph.
export function StageCard({card, selected, dim, onClick}: {card: Card; selected: boolean; dim: boolean; onClick: () => void}) {
  const classes = ['waybill-card', card.own && 'waybill-card-own', selected && 'waybill-card-selected', dim && 'waybill-card-dim', card.failed && 'waybill-card-failed']
  return (
    <button type='button' data-node={nodeID('stage', card.name)} className={classes.filter(Boolean).join(' ')} aria-pressed={selected} onClick={onClick}>
      <span className='waybill-card-head'>
        <strong title={card.name}>
          <span className='waybill-hidden'>{text.promotion.stage} </span>
          {card.name}
        </strong>
        {card.own && <span className='waybill-own'>{text.stage.own}</span>}
        <HealthMark card={card} />
      </span>
      <CardFreight card={card} />
      <CardChips card={card} />
    </button>
  )
}

export function CardFreight({card}: {card: Card}) {
  if (card.freight.length === 0) {
    return <span className='waybill-card-freight waybill-quiet'>{card.empty}</span>
  }
  const [first, ...others] = card.freight
  return (
    <span className='waybill-card-freight'>
      <Disc name={first.verified ? 'check' : 'clock'} tone={first.verified ? 'good' : 'muted'} label={first.verified ? text.status.verified : text.status.notVerified} />
      <span className='waybill-alias' title={card.freight.map(fullName).join(', ')}>
        <Name of={first} />
        {others.length > 0 && ` +${others.length}`}
      </span>
      <span className='waybill-quiet'>
        <Age at={first.since} />
      </span>
    </span>
  )
}

export function CardChips({card}: {card: Card}) {
  return (
    <span className='waybill-card-chips'>
      {card.activity && (
        <Chip tone='busy' icon='ring' title={text.status.running(card.activity)}>
          {card.activity}
        </Chip>
      )}
      {card.failed && <Chip tone='bad' icon='cross'>{text.phases.Failed}</Chip>}
      {card.trouble && !card.failed && <Chip tone='bad' icon='warning'>{text.stage.problems}</Chip>}
      {card.held && <Chip tone='warn' icon='hand'>{text.stage.held}</Chip>}
      {card.queue > 0 && (
        <Chip tone='warn' icon='queue' title={card.waiting}>
          {text.stage.queue(card.queue)}
        </Chip>
      )}
      {card.until && (
        <Chip icon='clock' title={text.verdict.names.soak}>
          <Countdown until={card.until} />
        </Chip>
      )}
      {card.auto && !card.activity && <Chip title={text.stage.autoTitle}>{text.stage.auto}</Chip>}
      {card.approvals > 0 && !card.activity && card.queue === 0 && !card.held && <Chip icon='check'>{text.stage.approvals(card.approvals, false)}</Chip>}
    </span>
  )
}

export function WarehouseCard({warehouse, alias, selected, dim, onClick}: {warehouse: Warehouse; alias: string; selected: boolean; dim: boolean; onClick: () => void}) {
  const classes = ['waybill-card', 'waybill-card-warehouse', selected && 'waybill-card-selected', dim && 'waybill-card-dim', warehouse.error && 'waybill-card-failed']
  return (
    <button type='button' data-node={nodeID('warehouse', warehouse.name)} className={classes.filter(Boolean).join(' ')} aria-pressed={selected} onClick={onClick}>
      <span className='waybill-card-icon'>
        <Icon name='warehouse' />
      </span>
      <span className='waybill-card-text'>
        <strong title={warehouse.name}>
          <span className='waybill-hidden'>{text.stage.warehouse} </span>
          {warehouse.name}
        </strong>
        <span className='waybill-alias waybill-quiet'>{alias || text.warehouse.nothing}</span>
      </span>
      {warehouse.error && <Icon name='warning' tone='bad' label={text.warehouse.error} />}
    </button>
  )
}
