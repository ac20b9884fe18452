using System.Runtime.InteropServices;

namespace ClaimCheck.Service.Datasets;

/// <summary>A folder of definitions that is read again when it changes.</summary>
internal interface IDefinitionFolder
{
    /// <summary>The folder; null where there is none.</summary>
    string? Path { get; }

    /// <param name="all">Whether all databases are asked again, or only for new definitions.</param>
    /// <param name="cancellationToken">Cancels the wait for the databases.</param>
    /// <exception cref="StartupException">The folder can't be read; the earlier definitions stay.</exception>
    Task<IReadOnlyList<ReloadedDefinition>> ReloadAsync(bool all, CancellationToken cancellationToken);
}

/// <summary>Reads definitions again when their folder changes, and on SIGHUP. The folder is polled every second, which works on
/// any file system and through any links, where change notifications do not; it is read once it has stayed the same from one look
/// to the next, so that no half-written file is read. From time to time it is read even without a visible change.</summary>
internal sealed partial class DefinitionWatch : BackgroundService
{
    private const int Every = 30;
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<IDefinitionFolder> folders;
    private readonly TimeProvider clock;
    private readonly ILogger<DefinitionWatch> logger;
    private readonly SemaphoreSlim asked = new(0);
    private readonly PosixSignalRegistration hangUp;

    /// <summary>From here on SIGHUP no longer ends the process.</summary>
    public DefinitionWatch(IEnumerable<IDefinitionFolder> folders, TimeProvider clock, ILogger<DefinitionWatch> logger)
    {
        (this.folders, this.clock, this.logger) = ([.. folders], clock, logger);
        hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            // However often it was sent, one more reload is enough.
            if (asked.CurrentCount == 0)
                asked.Release();
        });
    }

    public override void Dispose()
    {
        hangUp.Dispose();
        asked.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(DefinitionWatch), LoopAsync, logger, stoppingToken);

    private async Task LoopAsync(CancellationToken stoppingToken)
    {
        var looks = folders.Where(folder => folder.Path is not null).Select(folder => new Looked(folder)).ToList();
        for (var round = 1; !stoppingToken.IsCancellationRequested; round++)
        {
            var isAsked = await AskedAsync(stoppingToken);
            if (isAsked)
                Log.Asked(logger);
            await Task.WhenAll(looks.Select(
                look => ReadAsync(look, isAsked, isAsked || look.HasSettled() || round % Every == 0, stoppingToken)));
        }
    }

    private async Task<bool> AskedAsync(CancellationToken stoppingToken)
    {
        using var waited = new CancellationTokenSource(Look, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, waited.Token);
        try
        {
            await asked.WaitAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task ReadAsync(Looked look, bool all, bool isDue, CancellationToken stoppingToken)
    {
        if (!isDue)
            return;
        try
        {
            await look.Folder.ReloadAsync(all, stoppingToken);
            look.Trouble = null;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The next look may succeed; until then everything stays as it was.
            if (e.Message != look.Trouble)
                Log.NotRead(logger, e is StartupException ? null : Defect.Of(e),
                    e is StartupException ? e.Message : $"an unexpected {e.GetType().Name} occurred.");
            look.Trouble = e.Message;
        }
    }

    private sealed class Looked(IDefinitionFolder folder)
    {
        private string read = DefinitionPair.MarkOf(folder.Path!);
        private string seen = "";

        public IDefinitionFolder Folder => folder;

        public string? Trouble { get; set; }

        /// <summary>Whether the folder differs from what was read, and is the same as at the look before.</summary>
        public bool HasSettled()
        {
            var now = DefinitionPair.MarkOf(folder.Path!);
            var hasSettled = now != read && now == seen;
            seen = now;
            if (hasSettled)
                read = now;
            return hasSettled;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "SIGHUP: all definitions are read again.")]
        public static partial void Asked(ILogger logger);

        [LoggerMessage(LogLevel.Error, "Definitions can't be read again, and stay as they were: {Reason}")]
        public static partial void NotRead(ILogger logger, Exception? exception, string reason);
    }
}
