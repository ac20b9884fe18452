using System.ComponentModel;
using System.Diagnostics;

namespace ClaimCheck.LocalPostgres;

/// <summary>Runs one of Postgres' tools, or one of the system's, to its end.</summary>
internal static class SystemCommand
{
    private const int NotFound = 127;

    /// <param name="commandLine">The program and its arguments; no shell reads them.</param>
    /// <param name="pgData">The data directory, for Postgres' own tools: as <c>PGDATA</c> it is not quoted
    /// by anyone's shell.</param>
    /// <param name="cancellationToken">Ends the program too.</param>
    public static async Task<CommandOutcome> RunAsync(
        IEnumerable<string> commandLine, string? pgData, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // The caller's working folder may be closed to the account that runs the program. Postgres' tools run in the data's
            // folder, so that they can name files there without a path, which pg_ctl would pass to a shell.
            WorkingDirectory = Path.GetDirectoryName(pgData) ?? "/",
        };
        foreach (var word in commandLine)
        {
            if (start.FileName.Length == 0)
                start.FileName = word;
            else
                start.ArgumentList.Add(word);
        }

        // A postmaster outlives its starter and belongs to another account: it gets none of the service's settings, which
        // hold connection strings and keys, and none of the caller's PG* variables.
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["LC_ALL"] = "C";
        if (pgData is not null)
            start.Environment["PGDATA"] = pgData;

        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            return new CommandOutcome(NotFound, "", e.Message);
        }

        using (process)
        {
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            try
            {
                await process.WaitForExitAsync(cancellationToken);
                return new CommandOutcome(process.ExitCode, await output, await errors);
            }
            catch (OperationCanceledException)
            {
                // With its children: a server that is still starting survives that, and recovers at its next start.
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync(CancellationToken.None);
                throw;
            }
        }
    }
}

internal sealed record CommandOutcome(int ExitCode, string Output, string Errors)
{
    public bool Succeeded => ExitCode == 0;

    /// <summary>The most informative line: the first error, or the last line.</summary>
    public string Reason
    {
        get
        {
            var lines = (Errors + "\n" + Output).Split(
                '\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return lines.FirstOrDefault(line => line.Contains("FATAL", StringComparison.Ordinal)
                    || line.Contains("error:", StringComparison.OrdinalIgnoreCase))
                ?? lines.LastOrDefault()
                ?? $"exit code {ExitCode}";
        }
    }
}
