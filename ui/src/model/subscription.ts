import type {Artifact} from './names'
import {repository} from './names'

// Subscribed is what is read of a subscription: exactly one of the three is there.
export interface Subscribed {
  image?: {repoURL: string; imageSelectionStrategy?: string; constraint?: string; platform?: string; allowTagsRegexes?: string[]}
  git?: {repoURL: string; commitSelectionStrategy?: string; branch?: string; semverConstraint?: string; includePaths?: string[]; allowTagsRegexes?: string[]}
  chart?: {repoURL: string; name?: string; semverConstraint?: string}
}

export interface SubscriptionView {
  kind: Artifact['kind']
  name: string
  // wants are the words of its constraint, strategy tells how one is selected among them.
  wants: string[]
  strategy: string
}

export function subscriptionView({image, git, chart}: Subscribed): SubscriptionView | undefined {
  const known = (...words: Array<string | undefined>) => words.filter((w): w is string => !!w)
  if (image) {
    return {kind: 'image', name: repository(image.repoURL), wants: known(image.constraint, ...(image.allowTagsRegexes || []), image.platform), strategy: image.imageSelectionStrategy || ''}
  }
  if (git) {
    return {kind: 'commit', name: repository(git.repoURL), wants: known(git.branch, git.semverConstraint, ...(git.allowTagsRegexes || []), ...(git.includePaths || [])), strategy: git.commitSelectionStrategy || ''}
  }
  return chart && {kind: 'chart', name: repository(chart.repoURL) + (chart.name ? '/' + chart.name : ''), wants: known(chart.semverConstraint), strategy: ''}
}
