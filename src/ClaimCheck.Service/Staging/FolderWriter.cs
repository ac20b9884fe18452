using ClaimCheck.Records.Disk;

namespace ClaimCheck.Service.Staging;

/// <summary>Writes an upload's file, and renames it into place.</summary>
internal sealed class FolderWriter(
    FolderPaths paths, StagedMultipartUpload upload, Func<StagedMultipartUpload, CancellationToken, Task> abortAsync)
    : StagedWriter(upload)
{
    private FileStream? file;
    private bool completed;

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await Open().WriteAsync(bytes, cancellationToken);
        }
        catch (Exception e) when (FolderFailures.IsFailure(e))
        {
            throw FolderFailures.Explain(e, $"store {Upload.Key}");
        }
    }

    public override async Task CompleteAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            var open = Open();
            await open.FlushAsync(cancellationToken);
            open.Flush(flushToDisk: true); // an export that is ready survives a power failure
            await CloseAsync();
            var target = paths.Of(Upload.Key);
            // Fails where the upload was aborted, or its folder erased. Overwrites: a manifest may be written several times.
            Durable.Put(paths.Of(Upload), target);
            completed = true;
        }
        catch (Exception e) when (FolderFailures.IsFailure(e))
        {
            throw FolderFailures.Explain(e, $"complete {Upload.Key}");
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await CloseAsync();
        if (completed)
            return;
        try
        {
            await abortAsync(Upload, CancellationToken.None);
        }
        catch (StagingException)
        {
            // The upload is recorded in the catalog: the sweep aborts it again. The original failure matters more.
        }
    }

    // Never creates: the file exists from the beginning until the upload is aborted.
    private FileStream Open() => file ??= new FileStream(paths.Of(Upload), new FileStreamOptions
    {
        Mode = FileMode.Open,
        Access = FileAccess.Write,
        Share = FileShare.Read | FileShare.Delete,
        BufferSize = 64 << 10,
        Options = FileOptions.Asynchronous,
    });

    private async ValueTask CloseAsync()
    {
        if (file is not { } open)
            return;
        file = null;
        try
        {
            await open.DisposeAsync();
        }
        catch (IOException) when (!completed)
        {
            // A full disk, reported already by the write that failed.
        }
    }
}
