namespace ClaimCheck.Import.Running;

/// <summary>
/// Reads a run's file once and sends each batch that is due. The first pass, the one after a crash and those for retries
/// are the same: the journal tells what is left.
/// </summary>
internal sealed class Pass(RunDocument run, RunContext context, Journal journal, JournalHistory history, Action progress)
{
    private volatile bool stopped;

    /// <summary>No further batch is begun; those under way are finished.</summary>
    public void Stop() => stopped = true;

    /// <returns>False where the file is not the one that the run began with.</returns>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        // A last record without a line end is sent once all others were, and the file was found unchanged.
        var isHeld = run.EndsOpen == true && history.Tally.Read + 1 < run.Records;
        var file = new RecordFile(run.Input, run.Format!, run.IsGzip);
        await using var bytes = new HashedStream(RecordFile.OpenPlain(run.Input), run.Bytes ?? long.MaxValue);
        await using var open = await OpenRecordFile.OpenAsync(file, bytes, run.Limits.Reading, cancellationToken);
        var mapping = new RecordMapping(run.Limits.Mapping, open.Format);
        var cutter = new BatchCutter(open, mapping, run.Limits);
        var rejects = new RejectLines(open.Format.Again(), mapping);
        var (last, now) = (LastWanted(), Now());
        var parallel =
            new ParallelOptions { MaxDegreeOfParallelism = context.Options.Parallelism, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(cutter.ReadAsync(Wish, cancellationToken), parallel, async (batch, token) =>
        {
            if (!(isHeld && batch.IsOpenEnded))
                await SendAsync(batch, rejects, token);
            cutter.GiveBack(batch);
        });
        // Only a pass that reads the whole file can tell.
        return stopped || last < int.MaxValue
            || (history.Tally.Read + (isHeld ? 1 : 0) == run.Records
                && (await bytes.EndAsync(cancellationToken)).Sha256 == run.Sha256);

        BatchWish Wish(int number)
        {
            if (stopped || number > last)
                return new(IsWanted: false, Covers: null);
            return history[number] is { IsRead: true } batch
                ? new(!(batch.IsDone || batch.Due > now), batch.Covers)
                : new(IsWanted: true, Covers: null);
        }

        int LastWanted() => history.Tally.Read < run.Records ? int.MaxValue : history.LastOpen;
    }

    private async Task SendAsync(RecordBatch batch, RejectLines rejects, CancellationToken cancellationToken)
    {
        var state = history[batch.Number];
        if (!state.IsRead)
        {
            await NoteAsync(
                new JournalEntry
                {
                    Batch = batch.Number,
                    Covers = batch.Count + batch.InvalidCount,
                    Invalid = batch.InvalidCount,
                },
                rejects.OfInvalid(batch));
            state = history[batch.Number];
        }
        if (state.IsDone)
            return;
        var indexes = state.Left ?? [.. Enumerable.Range(0, batch.Count)];
        var key = state.Answers == 0 ? $"{run.RunId}-{batch.Number}" : $"{run.RunId}-{batch.Number}-{state.Answers + 1}";
        var shipment = new Shipment(
            key, [.. indexes.Select(batch.Item)], state.Job, job =>
                NoteAsync(new JournalEntry { Batch = batch.Number, Job = job }));
        var result = await context.Contract.SendAsync(shipment, cancellationToken);
        var (entry, lines) = Settle(batch, indexes, state, result, rejects);
        await NoteAsync(entry, lines);
        progress();
    }

    private (JournalEntry Entry, ReadOnlyMemory<byte> Lines) Settle(
        RecordBatch batch, int[] indexes, BatchProgress state, SendResult result, RejectLines rejects)
    {
        var round = state.Round + 1;
        var isLast = round >= context.Options.Retry.Rounds;
        var unanswered = result as SendResult.Unanswered;
        var unknown = unanswered is null ? null : RecordOutcome.Failed(isTransient: true, unanswered.Code, unanswered.Message);
        var outcomes = (result as SendResult.Answered)?.Outcomes;
        var lines = new ArrayBufferWriter<byte>();
        var left = new List<int>();
        var succeeded = 0;
        for (var i = 0; i < indexes.Length; i++)
        {
            var outcome = outcomes?[i] ?? unknown!;
            if (outcome.Class == OutcomeClass.Succeeded)
                succeeded++;
            else if (outcome.Class == OutcomeClass.Transient && !isLast)
                left.Add(indexes[i]);
            else
                rejects.Add(lines, batch, indexes[i], outcome);
        }
        var (isWhole, retry) = (left.Count == 0, context.Options.Retry);
        return (
            new JournalEntry
            {
                Batch = batch.Number,
                Round = round,
                Succeeded = succeeded,
                Failed = indexes.Length - succeeded - left.Count,
                Left = isWhole ? null : IndexSet.Format(left),
                Due = isWhole ? null : Now() + (long)Backoff.After(
                    round, retry.RoundDelay, retry.LongestRoundDelay, unanswered?.RetryAfter).TotalMilliseconds,
                Answers = state.Answers + (unanswered is null ? 1 : 0),
                Job = isWhole ? null : unanswered?.Job,
            },
            lines.WrittenMemory);
    }

    // On disk first: no process, including this one, acts on what a crash could undo.
    private async Task NoteAsync(JournalEntry entry, ReadOnlyMemory<byte> rejects = default)
    {
        entry = entry with { At = Now() };
        await journal.AppendAsync(entry, rejects);
        history.Take(entry);
    }

    private long Now() => context.Time.GetUtcNow().ToUnixTimeMilliseconds();
}
