namespace ClaimCheck.Adapter.Tables;

/// <summary>COPY … FROM STDIN of bytes that are CSV already.</summary>
internal static class CopyIn
{
    public static async Task CopyInAsync(
        this NpgsqlConnection connection, string sql, Func<Stream, CancellationToken, Task> write,
        CancellationToken cancellationToken)
    {
        await using var copy = await connection.BeginTextImportAsync(sql, cancellationToken);
        try
        {
            await write(((StreamWriter)copy).BaseStream, cancellationToken);
        }
        catch
        {
            await copy.CancelAsync(); // otherwise disposing it would signal that everything was sent
            throw;
        }
    }
}
