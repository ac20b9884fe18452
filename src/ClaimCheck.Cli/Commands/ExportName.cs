namespace ClaimCheck.Cli.Commands;

/// <summary>An export, by its own id or by its batch's: there is one batch per export, and users may have either.</summary>
internal sealed record ExportName(ExportId? Export, BatchId? Batch)
{
    public static Argument<ExportName> Argument() => new("id")
    {
        Description = "exp_… or bat_…",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (ExportId.TryParse(text, out var export))
                return new(export, null);
            if (BatchId.TryParse(text, out var batch))
                return new(null, batch);
            result.AddError($"'{text}' is not the id of an export (exp_…) or a batch (bat_…).");
            return null!;
        },
    };

    public async Task<ExportId> ExportAsync(ClaimCheckClient client, CancellationToken cancellationToken) =>
        Export ?? (await client.GetBatchAsync(Batch!.Value, cancellationToken)).ExportId;

    public async Task<BatchId> BatchAsync(ClaimCheckClient client, CancellationToken cancellationToken) =>
        Batch ?? (await client.GetExportAsync(Export!.Value, cancellationToken: cancellationToken)).BatchId;

    public override string ToString() => Export?.ToString() ?? Batch.ToString()!;
}
