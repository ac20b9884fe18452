namespace ClaimCheck.Cli.Commands;

/// <summary>Exports, newest first.</summary>
internal static class ListCommand
{
    public static Command Make()
    {
        var state = new Option<string?>("--state")
        {
            Description = $"Only those in this state: {string.Join(", ", ExportState.All)}.",
            HelpName = "STATE",
        };
        state.AcceptOnlyFromAmong([.. ExportState.All]);
        var dataset = new Option<string?>("--dataset") { Description = "Only those of this dataset.", HelpName = "NAME" };
        var limit = new Option<int?>("--limit")
        {
            Description = "The largest number of exports, 1 to 1000; 100 by default.",
            HelpName = "N",
        };
        var cursor = new Option<string?>("--cursor")
        {
            Description = "The next page: the cursor that the previous page printed.",
            HelpName = "CURSOR",
        };
        var all = new Option<bool>("--all") { Description = "All pages; with --json one export per line." };
        return new Command("list", "Lists exports, newest first.")
            .With(state, dataset, limit, cursor, all)
            .Runs((session, cancellationToken) =>
            {
                Task<Page<Export>> PageAsync(string? at) =>
                    session.Client.ListExportsAsync(
                        session.Get(state), session.Get(dataset), session.Get(limit), at, cancellationToken);
                return session.Get(all)
                    ? AllAsync(session, PageAsync, session.Get(cursor))
                    : OneAsync(session, PageAsync, session.Get(cursor));
            });
    }

    private static async Task<int> OneAsync(Session session, Func<string?, Task<Page<Export>>> pageAsync, string? cursor)
    {
        var page = await pageAsync(cursor);
        session.Screen.Document(Redaction.ToJson(page));
        Show(session.Screen, page);
        if (page.NextCursor is { } next)
            session.Screen.Hint($"There are more: --cursor {next}, or --all.");
        return ExitCodes.Ok;
    }

    private static async Task<int> AllAsync(Session session, Func<string?, Task<Page<Export>>> pageAsync, string? cursor)
    {
        do
        {
            var page = await pageAsync(cursor);
            foreach (var export in page.Items)
                session.Screen.Document(Redaction.ToJson(export));
            Show(session.Screen, page);
            cursor = page.NextCursor;
        }
        while (cursor is not null);
        return ExitCodes.Ok;
    }

    private static void Show(Screen screen, Page<Export> page) => screen.Table(
        ["EXPORT", "BATCH", "STATE", "DATASET", "RECORDS", "STORED", "CREATED"],
        [
            .. page.Items.Select(export => new[]
            {
                $"{export.ExportId}", $"{export.BatchId}", export.State, export.Dataset, Amounts.Count(export.Progress.Records),
                Amounts.Size(export.Progress.Bytes), Amounts.Time(export.CreatedAt)!,
            }),
        ]);
}
