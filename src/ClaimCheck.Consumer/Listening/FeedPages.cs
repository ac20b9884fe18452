namespace ClaimCheck.Consumer.Listening;

/// <summary>
/// The pages of the feed whose events are not all handled yet. The cursor moves behind a page once it and all before it are
/// handled.
/// </summary>
internal sealed class FeedPages
{
    private readonly Queue<(string Cursor, Task Handled, int Events)> open = new();

    /// <summary>How many events the open pages have.</summary>
    public int Events { get; private set; }

    /// <summary>The oldest open page; null where all are handled.</summary>
    public Task? Oldest => open.TryPeek(out var page) ? page.Handled : null;

    public void Add(string cursor, IReadOnlyCollection<Task> events)
    {
        open.Enqueue((cursor, Task.WhenAll(events), events.Count));
        Events += events.Count;
    }

    /// <summary>The cursor behind all handled pages, as of the last <see cref="Advance"/>; null before the first one.</summary>
    public string? Cursor { get; private set; }

    /// <summary>Moves the cursor behind the pages that are handled now.</summary>
    public void Advance()
    {
        while (open.TryPeek(out var page) && page.Handled.IsCompletedSuccessfully)
        {
            Cursor = page.Cursor;
            Events -= page.Events;
            open.Dequeue();
        }
    }
}
