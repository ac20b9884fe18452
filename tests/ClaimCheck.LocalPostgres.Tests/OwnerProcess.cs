using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClaimCheck.LocalPostgres.Tests;

/// <summary>A process of its own that owns a private Postgres; it can be killed like a service, and run
/// as another user.</summary>
internal sealed class OwnerProcess : IDisposable
{
    public const string DataVariable = "CLAIMCHECK_TEST_POSTGRES_DATA";

    private readonly Process process;
    private readonly string? copied;

    private OwnerProcess(Process process, string? copied) => (this.process, this.copied) = (process, copied);

    /// <returns>The process, once its Postgres runs.</returns>
    public static async Task<OwnerProcess> StartAsync(string data, string? user)
    {
        var folder = AppContext.BaseDirectory;
        string? copy = null;
        if (user is not null)
        {
            // This build may lie where that user can't enter.
            copy = folder = ServerFolders.Make();
            ServerFolders.Copy(AppContext.BaseDirectory, copy);
        }

        var assembly = Path.Combine(folder, Path.GetFileName(typeof(OwnerProcess).Assembly.Location));
        var start = new ProcessStartInfo(user is null ? Environment.ProcessPath! : "setpriv")
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
            Environment =
            {
                [DataVariable] = data,
                ["DOTNET_STARTUP_HOOKS"] = assembly,
            },
        };
        if (user is not null)
        {
            foreach (var word in (string[])["--reuid", user, "--regid", await GroupAsync(user), "--clear-groups", "--",
                Environment.ProcessPath!])
                start.ArgumentList.Add(word);
        }

        start.ArgumentList.Add(assembly);
        var owner = new OwnerProcess(Process.Start(start)!, copy);
        try
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            var line = await owner.process.StandardOutput.ReadLineAsync(deadline.Token);
            if (line != "running")
                throw new InvalidOperationException($"{line} {await owner.process.StandardError.ReadToEndAsync(deadline.Token)}");
            return owner;
        }
        catch
        {
            owner.Dispose();
            throw;
        }
    }

    /// <summary>SIGKILL, as the kernel does when memory is short.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    public async Task StopAsync()
    {
        process.StandardInput.Close();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
        if (process.ExitCode != 0)
            throw new InvalidOperationException(await process.StandardError.ReadToEndAsync());
    }

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill();
        process.Dispose();
        if (copied is not null)
            Directory.Delete(copied, recursive: true);
    }

    /// <summary>What the child process does: runs until its input ends.</summary>
    public static async Task RunAsync(string data)
    {
        await using var postgres = await PrivatePostgres.StartAsync(data, NullLogger.Instance, CancellationToken.None);
        Console.WriteLine("running");
        await Console.In.ReadToEndAsync();
    }

    private static async Task<string> GroupAsync(string user) =>
        (await SystemCommand.RunAsync(["id", "-g", user], pgData: null, CancellationToken.None)).Output.Trim();
}

internal static class ServerFolders
{
    private const UnixFileMode Closed = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Enterable = Closed | UnixFileMode.GroupRead | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>A new folder below <c>/tmp</c> that others may enter.</summary>
    public static string Make() =>
        Set(Directory.CreateDirectory(Path.Combine("/tmp", "ccpg-" + Guid.NewGuid().ToString("N")[..12])).FullName, Enterable);

    public static void OpenToAll(string folder) => Set(folder, Enterable | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite);

    public static void Close(string folder) => Set(folder, Closed);

    public static void Copy(string from, string to)
    {
        foreach (var file in Directory.GetFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }

    [SuppressMessage(
        "Interoperability", "CA1416", Justification = "These tests run where the private Postgres does: not on Windows.")]
    private static string Set(string folder, UnixFileMode mode)
    {
        File.SetUnixFileMode(folder, mode);
        return folder;
    }
}
