// A titled part of the page, and a table that scrolls by itself where the screen is narrow.

import type { ComponentChildren, JSX } from "preact";

/** What a panel is made of. */
export interface PanelProps {
  readonly title: string;
  /** For links between heading and region; one per page. */
  readonly id: string;
  /** A few words beside the title. */
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A region with a heading. */
export function Panel({ title, id, aside, children }: PanelProps): JSX.Element {
  return (
    <section class="panel" aria-labelledby={id}>
      <div class="title">
        <h2 id={id}>{title}</h2>
        {aside !== undefined && <p class="aside">{aside}</p>}
      </div>
      {children}
    </section>
  );
}

/** What a table is made of. */
export interface TableProps {
  /** Told to screen readers. */
  readonly caption: string;
  /** `number` columns are aligned to the right. */
  readonly columns: readonly { readonly label: string; readonly title?: string; readonly isNumber?: boolean }[];
  readonly children: ComponentChildren;
}

/** A table in a box that scrolls, with the keyboard too. */
export function Table({ caption, columns, children }: TableProps): JSX.Element {
  return (
    <div class="scroll" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ label, title, isNumber }) => (
              <th
                key={label}
                scope="col"
                class={isNumber === true ? "number" : ""}
                {...(title !== undefined && { title })}
              >
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
