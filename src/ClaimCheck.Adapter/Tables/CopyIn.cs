using Npgsql;

namespace ClaimCheck.Adapter.Tables;

/// <summary>COPY … FROM STDIN from bytes that are CSV already.</summary>
internal static class CopyIn
{
    public static async Task CopyInAsync(
        this NpgsqlConnection connection, string sql, Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        await using var copy = await connection.BeginTextImportAsync(sql, cancellationToken);
        try
        {
            await write(((StreamWriter)copy).BaseStream, cancellationToken);
        }
        catch
        {
            await copy.CancelAsync(); // else its disposal would say that all has come
            throw;
        }
    }
}
