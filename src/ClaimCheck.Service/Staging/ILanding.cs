namespace ClaimCheck.Service.Staging;

/// <summary>How producers write to staging directly, below <see cref="StagingKeys.LandingRoot"/>: at S3, where only parts of
/// recorded uploads are signed, so that an abort kills every link; or, where staging is a folder, through the service, which
/// checks the state each time. Only <c>Links.LinkMinter</c> has links signed.</summary>
internal interface ILanding
{
    /// <summary>Whether files are sent as parts of uploads.</summary>
    bool TakesParts { get; }

    /// <summary>Signs a PUT of one object, where files are not sent in parts.</summary>
    Task<SignedLink> SignPutAsync(string key, TimeSpan lifetime, CancellationToken cancellationToken);

    /// <summary>Signs a PUT of one part of an open upload, of exactly the given length.</summary>
    Task<SignedLink> SignPartAsync(
        StagedMultipartUpload upload, int partNumber, long bytes, TimeSpan lifetime, CancellationToken cancellationToken);

    /// <summary>The bytes of each part that has arrived, by its number.</summary>
    /// <exception cref="StagingException">With <see cref="StagingException.IsMissing"/> where the upload does not exist (any
    /// more).</exception>
    Task<IReadOnlyDictionary<int, long>> PartsAsync(StagedMultipartUpload upload, CancellationToken cancellationToken);

    /// <summary>Completes the upload from the given number of parts; further parts are dropped.</summary>
    Task CompleteAsync(StagedMultipartUpload upload, int parts, CancellationToken cancellationToken);

    /// <summary>The size of an object, or null where there is none.</summary>
    Task<long?> SizeAsync(string key, CancellationToken cancellationToken);
}
